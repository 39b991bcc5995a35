-- heard_share(state, connected_share, repaired): how much of a minute of feed_coverage counts as heard.
-- Subject: Liquidations. All of it if an import has filled the minute, nothing if its state is SILENT, else the share in which
-- somebody listened.
CASE WHEN repaired THEN 1 WHEN state = 'SILENT' THEN 0 ELSE connected_share END
