"""Whether a statement of somebody else may run: one SELECT, over the warehouse's own tables, with functions of a list.

The statement is read by DuckDB's own parser, and its tree is looked through whole: what is not known is refused.
"""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import duckdb

from warehouse.errors import QueryError
from warehouse.statements import statements

LONGEST = 100_000
_FUNCTIONS = """
abs acos acosh add age aggregate alias apply array_aggr array_aggregate array_append array_apply array_cat
array_concat array_contains array_cosine_distance array_cosine_similarity array_cross_product array_distance
array_distinct array_dot_product array_extract array_filter array_grade_up array_has array_has_all array_has_any
array_indexof array_inner_product array_intersect array_length array_negative_dot_product array_negative_inner_product
array_pop_back array_pop_front array_position array_prepend array_push_back array_push_front array_reduce array_resize
array_reverse array_reverse_sort array_select array_slice array_sort array_to_json array_to_string array_transform
array_unique array_value array_where array_zip ago ascii asin asinh atan atan2 atanh bar base64 bin bit_count
bit_length bit_position bitstring cardinality cbrt ceil ceiling century char_length character_length chr combine
concat concat_ws contains cos cosh cot current_date current_localtime current_localtimestamp damerau_levenshtein
date_add date_diff date_part date_sub date_trunc datediff datepart datesub datetrunc day dayname dayofmonth dayofweek
dayofyear days_in_month decade decode degrees divide editdist3 element_at encode ends_with epoch epoch_ms epoch_ns
epoch_us equi_width_bins era error even exp factorial fdiv filter flatten floor fmod format formatreadabledecimalsize
formatreadablesize format_bytes from_base64 from_binary from_hex from_json from_json_strict gamma gcd gen_random_uuid
generate_series generate_subscripts geomean geometric_mean get_bit get_current_time get_current_timestamp grade_up
greatest greatest_common_divisor hamming hash hex hour ilike_escape instr isfinite isinf isnan isodow isoyear jaccard
jaro_similarity jaro_winkler_similarity json json_array json_array_length json_contains json_exists json_extract
json_extract_path json_extract_path_text json_extract_string json_group_array json_group_object json_group_structure
json_keys json_merge_patch json_object json_pretty json_quote json_structure json_transform json_transform_strict
json_type json_valid json_value julian last_day lcase lcm least least_common_multiple left left_grapheme len length
length_grapheme levenshtein lgamma like_escape list_aggr list_aggregate list_any_value list_append list_apply
list_approx_count_distinct list_avg list_bit_and list_bit_or list_bit_xor list_bool_and list_bool_or list_cat
list_concat list_contains list_cosine_distance list_cosine_similarity list_count list_distance list_distinct
list_dot_product list_element list_entropy list_extract list_filter list_first list_grade_up list_has list_has_all
list_has_any list_histogram list_indexof list_inner_product list_intersect list_kurtosis list_kurtosis_pop list_last
list_mad list_max list_median list_min list_mode list_negative_dot_product list_negative_inner_product list_pack
list_position list_prepend list_product list_reduce list_resize list_reverse list_reverse_sort list_select list_sem
list_skewness list_slice list_sort list_stddev_pop list_stddev_samp list_string_agg list_sum list_transform
list_unique list_value list_var_pop list_var_samp list_where list_zip ln log log10 log2 lower lpad ltrim make_date
make_time make_timestamp make_timestamp_ms make_timestamp_ns make_timestamptz map map_concat map_contains
map_contains_entry map_contains_value map_entries map_extract map_extract_value map_from_entries map_keys map_values
md5 md5_number md5_number_lower md5_number_upper microsecond millennium millisecond minute mismatches mod month
monthname multiply nanosecond nextafter nfc_normalize normalized_interval not_ilike_escape not_like_escape now nullif
octet_length ord parse_formatted_bytes pi position pow power prefix printf quarter radians random range reduce
regexp_escape regexp_extract regexp_extract_all regexp_full_match regexp_matches regexp_replace regexp_split_to_array
repeat replace reverse right right_grapheme round round_even roundbankers row row_to_json rpad rtrim second set_bit
sha1 sha256 sign signbit sin sinh split split_part sqrt starts_with str_split str_split_regex strftime string_split
string_split_regex string_to_array strip_accents strlen strpos strptime struct_concat struct_contains struct_extract
struct_extract_at struct_has struct_indexof struct_insert struct_keys struct_pack struct_position struct_update
struct_values substr substring substring_grapheme subtract suffix switch tan tanh time_bucket timetz_byte_comparable
timezone timezone_hour timezone_minute to_base to_base64 to_binary to_centuries to_days to_decades to_hex to_hours
to_json to_microseconds to_millennia to_milliseconds to_minutes to_months to_quarters to_seconds to_timestamp to_weeks
to_years today transaction_timestamp translate trim trunc try_strptime typeof ucase unbin unhex unicode union_extract
union_tag union_value unpivot_list upper url_decode url_encode uuid uuid_extract_timestamp uuid_extract_version uuidv4
uuidv7 wavg week weekday weekofyear weighted_avg xor year yearweek unnest coalesce constant_or_null if ifnull try
columns struct list
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())
"""Scalar functions that reckon with what they are given, and know nothing of the process, its settings and its files."""
_OPERATORS = """
!__postfix !~~ !~~* % & && * ** + - ->> -> / // <-> << <=> <@ >> @ @> ^ ^@ | || ~ ~~ ~~* ~~~
"""
OPERATORS = frozenset(_OPERATORS.split())
_WINDOWS = """
row_number rank dense_rank rank_dense percent_rank cume_dist ntile lag lead first_value last_value nth_value fill
"""
WINDOWS = frozenset(_WINDOWS.split())
TABLE_FUNCTIONS = frozenset(["range", "generate_series", "unnest", "json_each", "json_tree"])
NODES = frozenset(["SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"])
TABLES = frozenset(["BASE_TABLE", "SUBQUERY", "JOIN", "TABLE_FUNCTION", "EMPTY", "EXPRESSION_LIST", "CTE", "PIVOT"])
"""What a FROM may have; SHOW_REF (DESCRIBE, SUMMARIZE) is none of it."""
_WORD = re.compile(r"[a-z_][a-z0-9_]*")  # a name that no file has, wherever it is looked for
OWN = ("", "lake", "system")
"""Catalogues that a name may say it is of."""


def check(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Return where `sql` may run. Raises QueryError where it may not; duckdb.Error for a syntax error."""
    if len(sql) > LONGEST:
        raise QueryError(f"the statement is longer than {LONGEST:,} letters")
    found = connection.extract_statements(sql)
    if len(found) != 1:
        raise QueryError(f"one statement at a time, not {len(found)}")
    if found[0].type.name != "SELECT" or not found[0].query:
        raise QueryError("only a query runs here: SELECT …, or FROM …")
    row = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [found[0].query]).fetchone()
    tree = json.loads(row[0]) if row else {"error": True}
    if tree["error"]:
        raise QueryError(f"only a query runs here ({tree.get('error_message', 'it cannot be read')})")
    _Checked(connection, tree["statements"])


class _Checked:
    """Looks through a tree, and raises QueryError for what is not allowed."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, tree: Any) -> None:
        self._tables = _tables(connection)
        self._known = FUNCTIONS | OPERATORS | TABLE_FUNCTIONS | _aggregates(connection) | _macros()
        self._ctes = {name for node in _nodes(tree) for name in _defined(node) if _WORD.fullmatch(name)}
        for node in _nodes(tree):
            self._look(node)

    def _look(self, node: dict[str, Any]) -> None:
        kind = node.get("type")
        if "sample" in node and (kind not in NODES if "from_table" in node else kind not in TABLES):
            raise QueryError(f"{str(kind).replace('_', ' ')} is not allowed here")
        if kind == "BASE_TABLE":
            self._look_at_table(node)
        if kind == "TABLE_FUNCTION":
            self._look_at_function(node["function"], TABLE_FUNCTIONS | _macros())
        elif "function_name" in node and "children" in node:
            self._look_at_function(node, self._known)

    def _look_at_table(self, node: dict[str, Any]) -> None:
        name, schema, catalogue = (str(node.get(key) or "") for key in ("table_name", "schema_name", "catalog_name"))
        if not schema and not catalogue and name.lower() in self._ctes:
            return
        if name.lower() not in self._tables or schema not in ("", "main", "lake") or catalogue not in ("", "lake"):
            raise QueryError(f"there is no table or view {name!r} here")

    def _look_at_function(self, node: dict[str, Any], allowed: frozenset[str]) -> None:
        name = str(node.get("function_name", "")).lower()
        catalogue, schema = str(node.get("catalog") or ""), str(node.get("schema") or "")
        if name not in allowed or catalogue not in OWN or schema not in ("", "main", "lake"):
            raise QueryError(f"the function {name} is not allowed here")


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a tree, however deep."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _defined(node: dict[str, Any]) -> Iterator[str]:
    """Yield the names that WITH gives in a node."""
    if isinstance(given := node.get("cte_map"), dict):
        yield from (str(each["key"]).lower() for each in given.get("map", ()))
    if isinstance(name := node.get("cte_name"), str):
        yield name.lower()


def _tables(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    query = """
        SELECT lower(table_name) FROM duckdb_tables() WHERE database_name = 'lake'
        UNION ALL SELECT lower(view_name) FROM duckdb_views() WHERE database_name = 'lake'
    """
    return frozenset(name for (name,) in connection.execute(query).fetchall())


def _aggregates(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    query = """
        SELECT DISTINCT lower(function_name) FROM duckdb_functions()
        WHERE function_type IN ('aggregate', 'window') AND internal
    """
    return WINDOWS | {name for (name,) in connection.execute(query).fetchall()}


@lru_cache(maxsize=1)
def _macros() -> frozenset[str]:
    """Return the names of the warehouse's macros, but for those that take the name of a table."""
    return frozenset(one.name for one in statements() if one.kind == "macro" and "query_table" not in one.words)
