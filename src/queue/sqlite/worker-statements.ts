/** What is known of workers: a row each, as the newest heartbeat told. */
export const workerStatements = {
  heartbeat: `INSERT INTO workers (id, hostname, last_heartbeat, vulkan_available, active_jobs, gpu_name, cpu_usage,
      memory_usage, gpu_usage, gpu_report, status, boot_id)
    VALUES ($id, $hostname, $now, $vulkan_available, $active_jobs, $gpu_name, $cpu_usage, $memory_usage,
      $gpu_usage, $gpu_report, $status, $boot_id)
    ON CONFLICT (id) DO UPDATE SET hostname = excluded.hostname, last_heartbeat = excluded.last_heartbeat,
      vulkan_available = excluded.vulkan_available, active_jobs = excluded.active_jobs, gpu_name = excluded.gpu_name,
      cpu_usage = excluded.cpu_usage, memory_usage = excluded.memory_usage, gpu_usage = excluded.gpu_usage,
      gpu_report = excluded.gpu_report, status = excluded.status, boot_id = coalesce(excluded.boot_id, boot_id)`,

  markOffline: `UPDATE workers SET last_heartbeat = NULL, active_jobs = 0 WHERE id = $worker_id`,

  workers: `SELECT * FROM workers ORDER BY id`,

  worker: `SELECT * FROM workers WHERE id = $worker_id`,
} as const
