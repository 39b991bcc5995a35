"""The further venues: other people's clients on their simulators, and what they read joined to our rows."""
