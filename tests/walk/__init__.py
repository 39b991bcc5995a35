"""The first hour of a new user: `liq demo`, then every command that README.md prints."""
