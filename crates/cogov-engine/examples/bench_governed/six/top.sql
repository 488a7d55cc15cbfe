SELECT l_orderkey, l_linenumber, l_extendedprice FROM lineitem
WHERE l_quantity > 30 ORDER BY l_extendedprice DESC, l_orderkey, l_linenumber LIMIT 100;
