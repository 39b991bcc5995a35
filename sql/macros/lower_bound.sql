-- lower_bound(completeness, coverage_share, suspect_share, unpriced): whether a total is only known to be at least so much.
-- Subject: Liquidations.
-- True where any of its rows is of a class but all, the feed was not heard all the time, or was suspect for a part of it, or a
-- row has no USD amount; false where none of these holds; null where it is not known: coverage_share is null, or there are no
-- rows to have a class.
(completeness <> 'all' OR coverage_share < 1 OR suspect_share > 0 OR unpriced > 0)
