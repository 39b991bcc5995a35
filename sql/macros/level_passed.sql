-- level_passed(position_side, price_low, price_high, low, high): whether a price that was between low and high has cleared a bin.
-- As the model clears it: longs' from the bin of the least price upwards, shorts' from that of the highest downwards. False where low
-- or high is null: no price came. A hair of room, as an edge and a price that are equal come from different sums.
coalesce(CASE position_side WHEN 'long' THEN price_high > low * (1 + 1e-9) ELSE price_low <= high * (1 + 1e-9) END, false)
