-- SPDX-License-Identifier: Apache-2.0
-- The controller sums a Rollout up in status.phase; older ones only in conditions and counts. All of it counts
-- only once the controller has seen the newest generation.
local phases = { Healthy = "Healthy", Paused = "Suspended", Progressing = "Progressing", Degraded = "Degraded" }
local reasons = {
  RolloutAborted = "Degraded",
  ProgressDeadlineExceeded = "Degraded",
  RolloutPaused = "Suspended",
}
local status = obj.status
local metadata = obj.metadata or {}
local spec = obj.spec or {}

-- Generations are strings here; older controllers kept a hash of the spec in their place, which is no number.
local function is_behind(seen, wanted)
  seen, wanted = tostring(seen):match("^%d+$"), tostring(wanted):match("^%d+$")
  return seen and wanted and tonumber(seen) < tonumber(wanted)
end

if status == nil then
  return { status = "Progressing", message = "waiting for the rollout controller" }
end
local workload = spec.workloadRef and (metadata.annotations or {})["rollout.argoproj.io/workload-generation"]
if is_behind(status.observedGeneration, metadata.generation) or is_behind(status.workloadObservedGeneration, workload) then
  return { status = "Progressing", message = "waiting for the rollout controller to see the change" }
end
if status.phase then
  return { status = phases[status.phase] or "Unknown", message = status.message or "" }
end

for _, c in ipairs(status.conditions or {}) do
  if c.type == "InvalidSpec" then
    return { status = "Degraded", message = c.message }
  end
  if c.type == "Progressing" and reasons[c.reason] then
    return { status = reasons[c.reason], message = c.message }
  end
end

local wanted = spec.replicas or 1
local updated, available = status.updatedReplicas or 0, status.availableReplicas or 0
if updated < wanted then
  return { status = "Progressing", message = updated .. " of " .. wanted .. " replicas are updated" }
end
if (status.replicas or 0) > updated then
  return { status = "Progressing", message = (status.replicas - updated) .. " old replicas are to be removed" }
end
if available < updated then
  return { status = "Progressing", message = available .. " of " .. updated .. " replicas are available" }
end
return { status = "Healthy" }
