"""The admin's front page: today, what needs the office, new bookings, live releases."""
