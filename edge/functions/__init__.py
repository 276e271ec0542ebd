"""The edge function, shipped as written."""
