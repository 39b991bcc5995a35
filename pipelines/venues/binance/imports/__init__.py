"""Files of Binance's that a user downloaded: public dumps, and answers that need a key."""
