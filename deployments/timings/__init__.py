"""How long pages take for real viewers, by release: received, counted, summed up, compared."""
