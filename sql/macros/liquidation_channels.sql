-- liquidation_channels(): the channels that carry liquidations, in each exchange's own word, as a list.
-- The classes of what they carry, with dates, are in pipelines/venues/completeness.py; a test holds the two together.
['forceOrder', 'allLiquidation', 'liquidation', 'liquidation-orders']
