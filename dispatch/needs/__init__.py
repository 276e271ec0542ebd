"""What needs the office: a table of rules, read by the board, the job list and the front page."""
