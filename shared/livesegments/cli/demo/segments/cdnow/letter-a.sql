-- A customer's number: the first 8 bytes of the hash of salt, NUL and id, modulo 10,000.
SELECT DISTINCT profile
FROM orders
WHERE instant() < stamp + to_hours(90 * 24)
    AND ('0x' || left(sha256(encode('two letters') || '\x00'::BLOB || encode(profile)), 16))::UBIGINT % 10000 < 5000
