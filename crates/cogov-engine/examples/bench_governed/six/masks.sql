SELECT c_phone, count(DISTINCT c_name), avg(c_acctbal) FROM customer GROUP BY c_phone ORDER BY c_phone;
