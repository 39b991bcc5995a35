"""Other people's clients pointed at the simulators, and what they read joined to our rows."""
