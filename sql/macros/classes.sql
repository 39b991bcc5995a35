-- classes(completeness): an aggregate: the completeness classes in several values of the column, each once, by name.
-- Subject: Liquidations. 'all', 'partial' and 'all, partial' together give 'all, partial'.
array_to_string(list_sort(list_distinct(flatten(list(string_split(completeness, ', '))))), ', ')
