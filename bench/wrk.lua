-- Tell what happened in one line of JSON; send DEPTH requests at once if that is given.

local depth = tonumber(os.getenv("WRK_DEPTH") or "1")

if depth > 1 then
   local batch
   init = function()
      local one = wrk.format("GET", "/")
      batch = string.rep(one, depth)
   end
   request = function()
      return batch
   end
end

done = function(summary, latency)
   local e = summary.errors
   local bad = e.connect + e.read + e.write + e.status + e.timeout
   io.write(string.format(
      '{"requests": %d, "microseconds": %d, "bad": %d, "p50": %d, "p99": %d}\n',
      summary.requests, summary.duration, bad, latency:percentile(50), latency:percentile(99)
   ))
end
