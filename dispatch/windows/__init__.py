"""Service windows: making them, offering them, and counting what jobs take in them."""
