-- SPDX-License-Identifier: Apache-2.0
-- The controller sums a Rollout up in status.phase; the phase counts only once it has seen the newest generation.
local words = {
  Healthy = "Healthy",
  Paused = "Suspended",
  Progressing = "Progressing",
  Degraded = "Degraded",
}
local status = obj.status

if status == nil or status.phase == nil then
  return { status = "Progressing", message = "waiting for the rollout controller" }
end
-- It is a string here: the controller used to keep a hash of the spec in it. Such a hash is no number.
local seen = tonumber(status.observedGeneration)
if seen and seen < (obj.metadata.generation or 0) then
  return { status = "Progressing", message = "waiting for the rollout controller to see the change" }
end
return { status = words[status.phase] or "Unknown", message = status.message or "" }
