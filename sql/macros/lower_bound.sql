-- lower_bound(completeness, coverage_share, suspect_share, unpriced): whether a total is a lower bound, that is, the real total may be higher.
-- Subject: Liquidations. True if a row's class is not all, the feed was not heard all the time or was suspect for a part of it, or
-- a row has no USD amount. Null if that is not known, because coverage_share is null or there are no rows. Else false.
(completeness <> 'all' OR coverage_share < 1 OR suspect_share > 0 OR unpriced > 0)
