"""What the firm offers: its prices and its service area."""
