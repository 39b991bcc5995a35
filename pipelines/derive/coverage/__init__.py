"""How complete the data are: how much of each feed was heard, and whether a silent channel works."""
