-- SPDX-License-Identifier: Apache-2.0
-- A CronJob is judged by its last run. One that has never run is fine: its time has not come, and a
-- sync must not wait for it.
local status = obj.status or {}
local running = #(status.active or {})

if obj.spec and obj.spec.suspend then
  return { status = "Suspended", message = "suspended" }
end
if running > 0 then
  return { status = "Progressing", message = running .. (running == 1 and " job is running" or " jobs are running") }
end
if status.lastScheduleTime == nil then
  return { status = "Healthy", message = "has not run yet" }
end

-- Both are UTC in one form, so they compare as text. A run succeeds after it was scheduled.
local success = status.lastSuccessfulTime
if success == nil then
  return { status = "Degraded", message = "no run has succeeded; the last started at " .. status.lastScheduleTime }
end
if success < status.lastScheduleTime then
  return {
    status = "Degraded",
    message = "the run of " .. status.lastScheduleTime .. " has not succeeded; the last that did ended at " .. success,
  }
end
return { status = "Healthy", message = "last success at " .. success }
