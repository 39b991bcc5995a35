-- level_passed(position_side, price_low, price_high, low, high): whether a price that was between low and high has cleared a bin.
-- This is the rule of the model: longs' levels are cleared from the bin of the lowest price upwards, shorts' levels from that of
-- the highest price downwards. False if low or high is null, because no price came. It allows a tiny tolerance, since an edge and
-- an equal price come from different sums.
coalesce(CASE position_side WHEN 'long' THEN price_high > low * (1 + 1e-9) ELSE price_low <= high * (1 + 1e-9) END, false)
