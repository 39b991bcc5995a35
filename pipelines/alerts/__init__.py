"""`liq alerts`: tells people and programs what happens. `rules.py` reads the rules, `kinds.py` has what each looks for,
`outbox.py` keeps every alert until it is delivered, `deliver.py` delivers it, `rounds.py` is the loop."""
