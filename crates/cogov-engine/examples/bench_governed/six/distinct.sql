SELECT count(DISTINCT l_suppkey), count(DISTINCT l_partkey) FROM lineitem WHERE l_shipdate >= DATE '1996-01-01';
