"""What is liquidated now, for a person at a terminal: behind `liq watch`, and what `liq demo` and `liq up` show.

choice.py   which coin and venue are shown, and the keys that change it
sight.py    what is read from the lake, and how often: the light things each second, the others as they cost
figures.py  numbers out of what was read: the pulse, the shout, sums over coins and venues
feeds.py    each venue's state: LIVE, LATE, SUSPECT, SILENT, GAP
words.py    numbers, ages and shares as a person reads them
panels.py   the parts of the page
page.py     the page, as wide and high as the terminal
live.py     reads, draws and listens to keys until it is told to stop
keys.py     the terminal's keys, one at a time
"""
