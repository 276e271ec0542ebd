"""Photos of jobs: taking them in, storing, serving and purging them."""
