-- Send the requests of the file REQUESTS, which are separated by NUL, again and again;
-- tell what happened in one line of JSON.

local file = assert(io.open(os.getenv("REQUESTS"), "rb"))
local requests = {}
for one in file:read("*a"):gmatch("%Z+") do
   requests[#requests + 1] = one
end
file:close()

local last = 0

request = function()
   last = last % #requests + 1
   return requests[last]
end

done = function(summary, latency)
   local e = summary.errors
   local bad = e.connect + e.read + e.write + e.status + e.timeout
   io.write(string.format(
      '{"requests": %d, "microseconds": %d, "bad": %d, "p50": %d, "p99": %d}\n',
      summary.requests, summary.duration, bad, latency:percentile(50), latency:percentile(99)
   ))
end
