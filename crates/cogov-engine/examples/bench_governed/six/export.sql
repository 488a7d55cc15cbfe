SELECT l_orderkey, l_partkey, l_quantity, l_extendedprice, l_shipdate FROM lineitem WHERE l_shipdate >= DATE '1998-01-01';
