"""Background work: the queues, their heartbeats, and the supervisor of their clusters."""
