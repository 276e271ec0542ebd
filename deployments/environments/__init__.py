"""Adding, changing and removing environments, and bringing the edge in line with them."""
