-- SPDX-License-Identifier: Apache-2.0
-- A CronJob is judged by its last run. One that has not run, or not yet to its end, is fine: its time has not come, and
-- neither a sync nor the application's health should wait for it.
local status = obj.status or {}
local running = #(status.active or {})
local scheduled, success = status.lastScheduleTime, status.lastSuccessfulTime

if obj.spec and obj.spec.suspend then
  return { status = "Suspended", message = "suspended" }
end
if running > 0 then
  return { status = "Healthy", message = running .. (running == 1 and " job is running" or " jobs are running") }
end
if scheduled == nil then
  return { status = "Healthy", message = "has not run yet" }
end
-- Kept out of Degraded: clusters before 1.21 don't tell of success at all.
if success == nil then
  return { status = "Healthy", message = "no run is known to have succeeded; the last started at " .. scheduled }
end
-- Both are UTC in one form, so they compare as text. A run succeeds after it was scheduled.
if success < scheduled then
  return {
    status = "Degraded",
    message = "the run of " .. scheduled .. " has not succeeded; the last that did ended at " .. success,
  }
end
return { status = "Healthy", message = "last success at " .. success }
