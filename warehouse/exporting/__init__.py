"""`liq export`: a table or view as files that other tools read, one a day, with a manifest. `what.py` finds out what is
exported, `days.py` reads its rows day by day, `folder.py` keeps the files, `run.py` does it."""
