-- Sends a dead letter back. KEYS: its list. ARGV: prefix, the letter, the message. Returns how many there were.
if redis.call('LREM', ARGV[1] .. 'dead', 1, ARGV[2]) == 0 then
	return 0
end
redis.call('LPUSH', KEYS[1], ARGV[3])
return 1
