"""REST on a schedule, within what the venue allows."""
