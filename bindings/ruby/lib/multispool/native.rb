# frozen_string_literal: true

require "ffi"
require_relative "library"

module Multispool
  # The C functions as they are. What touches the disk or waits is `blocking: true`, so that other Ruby threads run
  # meanwhile, and takes strings as pointers, since the collector runs meanwhile too. Strings that are borrowed come
  # back as pointers, never as `:string`.
  # @api private
  module Native
    extend FFI::Library
    ffi_lib Library.open

    attach_function :version, :multispool_version, [], :uint32
    attach_function :version_string, :multispool_version_string, [], :pointer
    attach_function :format_version, :multispool_format_version, [], :uint32
    attach_function :status_name, :multispool_status_name, [:int32], :pointer

    attach_function :error_status, :multispool_error_status, [:pointer], :int32
    attach_function :error_errno, :multispool_error_errno, [:pointer], :int32
    attach_function :error_path, :multispool_error_path, [:pointer], :pointer
    attach_function :error_operation, :multispool_error_operation, [:pointer], :pointer
    attach_function :error_message, :multispool_error_message, [:pointer], :pointer
    attach_function :error_name, :multispool_error_name, [:pointer], :pointer
    attach_function :error_free, :multispool_error_free, [:pointer], :void

    attach_function :buffer_data, :multispool_buffer_data, %i[pointer pointer], :pointer
    attach_function :buffer_free, :multispool_buffer_free, [:pointer], :void
    attach_function :names_next, :multispool_names_next, %i[pointer pointer pointer], :int32, blocking: true
    attach_function :names_free, :multispool_names_free, [:pointer], :void, blocking: true

    attach_function :spool_options_new, :multispool_spool_options_new, %i[pointer pointer], :int32
    attach_function :spool_options_free, :multispool_spool_options_free, [:pointer], :void
    attach_function :spool_options_set_durability, :multispool_spool_options_set_durability,
                    %i[pointer int32 pointer], :int32
    attach_function :spool_options_set_read_only, :multispool_spool_options_set_read_only,
                    %i[pointer int32 pointer], :int32
    attach_function :spool_options_set_owners, :multispool_spool_options_set_owners, %i[pointer int32 pointer], :int32
    attach_function :spool_options_set_mode, :multispool_spool_options_set_mode, %i[pointer int32 pointer], :int32
    attach_function :spool_options_set_lease, :multispool_spool_options_set_lease, %i[pointer uint64 pointer], :int32
    attach_function :spool_options_set_max_concurrent, :multispool_spool_options_set_max_concurrent,
                    %i[pointer uint32 pointer], :int32
    attach_function :spool_options_set_file_mode, :multispool_spool_options_set_file_mode,
                    %i[pointer uint32 pointer], :int32
    attach_function :spool_options_set_dir_mode, :multispool_spool_options_set_dir_mode,
                    %i[pointer uint32 pointer], :int32
    attach_function :spool_options_set_group, :multispool_spool_options_set_group, %i[pointer uint32 pointer], :int32
    attach_function :spool_options_set_allow_world_writable, :multispool_spool_options_set_allow_world_writable,
                    %i[pointer int32 pointer], :int32

    attach_function :spool_create, :multispool_spool_create, %i[pointer pointer size_t pointer pointer pointer], :int32,
                    blocking: true
    attach_function :spool_load, :multispool_spool_load, %i[pointer pointer size_t pointer pointer pointer], :int32,
                    blocking: true
    attach_function :spool_load_unsafe, :multispool_spool_load_unsafe,
                    %i[pointer pointer size_t pointer pointer pointer], :int32, blocking: true
    attach_function :discover, :multispool_discover, %i[pointer pointer pointer], :int32, blocking: true
    attach_function :spool_dir, :multispool_spool_dir, [:pointer], :pointer
    attach_function :spool_queue_count, :multispool_spool_queue_count, [:pointer], :size_t
    attach_function :spool_queue, :multispool_spool_queue, %i[pointer size_t], :pointer
    attach_function :spool_durability, :multispool_spool_durability, [:pointer], :int32
    attach_function :spool_mode, :multispool_spool_mode, [:pointer], :int32, blocking: true
    attach_function :spool_lease, :multispool_spool_lease, [:pointer], :uint64, blocking: true
    attach_function :spool_read_only, :multispool_spool_read_only, [:pointer], :int32
    attach_function :spool_free, :multispool_spool_free, [:pointer], :void, blocking: true

    attach_function :reserve, :multispool_reserve, %i[pointer pointer pointer pointer], :int32, blocking: true
    attach_function :enqueue_options_new, :multispool_enqueue_options_new, %i[pointer pointer], :int32
    attach_function :enqueue_options_free, :multispool_enqueue_options_free, [:pointer], :void
    attach_function :enqueue_options_set_durability, :multispool_enqueue_options_set_durability,
                    %i[pointer int32 pointer], :int32
    attach_function :enqueue_options_set_name, :multispool_enqueue_options_set_name, %i[pointer string pointer], :int32
    attach_function :enqueue, :multispool_enqueue,
                    %i[pointer pointer pointer size_t pointer size_t pointer pointer pointer], :int32, blocking: true
    attach_function :enqueue_file, :multispool_enqueue_file,
                    %i[pointer pointer pointer size_t pointer pointer pointer pointer], :int32, blocking: true
    attach_function :enqueue_writer_create, :multispool_enqueue_writer_create,
                    %i[pointer pointer pointer pointer pointer], :int32, blocking: true
    attach_function :enqueue_writer_write, :multispool_enqueue_writer_write, %i[pointer pointer size_t pointer],
                    :int32, blocking: true
    attach_function :enqueue_writer_commit, :multispool_enqueue_writer_commit,
                    %i[pointer pointer size_t pointer pointer], :int32, blocking: true
    attach_function :enqueue_writer_free, :multispool_enqueue_writer_free, [:pointer], :void, blocking: true

    attach_function :list, :multispool_list, %i[pointer pointer pointer pointer], :int32, blocking: true
    attach_function :entries_next, :multispool_entries_next, %i[pointer pointer pointer], :int32, blocking: true
    attach_function :entries_free, :multispool_entries_free, [:pointer], :void, blocking: true
    attach_function :list_checkouts_unsafe, :multispool_list_checkouts_unsafe, %i[pointer pointer pointer pointer],
                    :int32, blocking: true
    attach_function :checkouts_next, :multispool_checkouts_next, %i[pointer pointer pointer], :int32, blocking: true
    attach_function :checkouts_free, :multispool_checkouts_free, [:pointer], :void, blocking: true

    attach_function :entry_create, :multispool_entry_create, %i[pointer string string pointer pointer], :int32
    attach_function :entry_name, :multispool_entry_name, [:pointer], :pointer
    attach_function :entry_queue, :multispool_entry_queue, [:pointer], :pointer
    attach_function :entry_stat, :multispool_entry_stat, %i[pointer pointer pointer pointer pointer], :int32,
                    blocking: true
    attach_function :entry_checkout, :multispool_entry_checkout, %i[pointer pointer pointer pointer], :int32,
                    blocking: true
    attach_function :entry_try_checkout, :multispool_entry_try_checkout, %i[pointer pointer pointer pointer], :int32,
                    blocking: true
    attach_function :entry_direct_contents, :multispool_entry_direct_contents, %i[pointer pointer pointer], :int32,
                    blocking: true
    attach_function :entry_direct_save, :multispool_entry_direct_save, %i[pointer pointer size_t pointer], :int32,
                    blocking: true
    attach_function :entry_direct_remove, :multispool_entry_direct_remove, %i[pointer pointer], :int32, blocking: true
    attach_function :entry_direct_data_file, :multispool_entry_direct_data_file, %i[pointer pointer pointer], :int32,
                    blocking: true
    attach_function :entry_free, :multispool_entry_free, [:pointer], :void

    attach_function :checkout_options_new, :multispool_checkout_options_new, %i[pointer pointer], :int32
    attach_function :checkout_options_free, :multispool_checkout_options_free, [:pointer], :void
    attach_function :checkout_options_set_durability, :multispool_checkout_options_set_durability,
                    %i[pointer int32 pointer], :int32
    attach_function :save_options_new, :multispool_save_options_new, %i[pointer pointer], :int32
    attach_function :save_options_free, :multispool_save_options_free, [:pointer], :void
    attach_function :save_options_set_durability, :multispool_save_options_set_durability,
                    %i[pointer int32 pointer], :int32
    attach_function :remove_options_new, :multispool_remove_options_new, %i[pointer pointer], :int32
    attach_function :remove_options_free, :multispool_remove_options_free, [:pointer], :void
    attach_function :remove_options_set_durability, :multispool_remove_options_set_durability,
                    %i[pointer int32 pointer], :int32

    attach_function :checkout_name, :multispool_checkout_name, [:pointer], :pointer
    attach_function :checkout_queue, :multispool_checkout_queue, [:pointer], :pointer
    attach_function :checkout_metadata, :multispool_checkout_metadata, %i[pointer pointer], :pointer
    attach_function :checkout_finished, :multispool_checkout_finished, [:pointer], :int32
    attach_function :checkout_update, :multispool_checkout_update, %i[pointer pointer size_t pointer], :int32
    attach_function :checkout_data_file, :multispool_checkout_data_file, %i[pointer pointer pointer], :int32,
                    blocking: true
    attach_function :checkout_load_data, :multispool_checkout_load_data, %i[pointer pointer pointer], :int32,
                    blocking: true
    attach_function :checkout_renew, :multispool_checkout_renew, %i[pointer pointer], :int32, blocking: true
    attach_function :checkout_keep, :multispool_checkout_keep, %i[pointer pointer], :int32, blocking: true
    attach_function :checkout_save, :multispool_checkout_save, %i[pointer pointer pointer pointer], :int32,
                    blocking: true
    attach_function :checkout_remove, :multispool_checkout_remove, %i[pointer pointer pointer], :int32, blocking: true
    attach_function :checkout_release, :multispool_checkout_release, %i[pointer pointer], :int32, blocking: true
    attach_function :checkout_free, :multispool_checkout_free, [:pointer], :void, blocking: true

    attach_function :data_file_path, :multispool_data_file_path, [:pointer], :pointer
    attach_function :data_file_load, :multispool_data_file_load, %i[pointer pointer pointer], :int32, blocking: true
    attach_function :data_file_save, :multispool_data_file_save, %i[pointer pointer size_t pointer], :int32,
                    blocking: true
    attach_function :data_file_stat, :multispool_data_file_stat, %i[pointer pointer pointer pointer pointer], :int32,
                    blocking: true
    attach_function :data_file_open, :multispool_data_file_open, %i[pointer pointer pointer], :int32, blocking: true
    attach_function :data_file_free, :multispool_data_file_free, [:pointer], :void, blocking: true
    attach_function :data_file_writer, :multispool_data_file_writer, %i[pointer pointer pointer], :int32,
                    blocking: true
    attach_function :data_writer_write, :multispool_data_writer_write, %i[pointer pointer size_t pointer], :int32,
                    blocking: true
    attach_function :data_writer_commit, :multispool_data_writer_commit, %i[pointer pointer], :int32, blocking: true
    attach_function :data_writer_free, :multispool_data_writer_free, [:pointer], :void, blocking: true

    attach_function :reader_options_new, :multispool_reader_options_new, %i[pointer pointer], :int32
    attach_function :reader_options_free, :multispool_reader_options_free, [:pointer], :void
    attach_function :reader_options_set_durability, :multispool_reader_options_set_durability,
                    %i[pointer int32 pointer], :int32
    attach_function :reader_options_set_retry_after_ms, :multispool_reader_options_set_retry_after_ms,
                    %i[pointer int64 int64 pointer], :int32
    attach_function :reader_options_set_poll_interval_ms, :multispool_reader_options_set_poll_interval_ms,
                    %i[pointer int64 pointer], :int32
    attach_function :reader_options_set_strict_order, :multispool_reader_options_set_strict_order,
                    %i[pointer int32 pointer], :int32
    attach_function :reader_create, :multispool_reader_create, %i[pointer pointer size_t pointer pointer pointer],
                    :int32, blocking: true
    attach_function :reader_dequeue, :multispool_reader_dequeue, %i[pointer pointer int64 pointer pointer], :int32,
                    blocking: true
    attach_function :reader_fd, :multispool_reader_fd, %i[pointer pointer pointer], :int32, blocking: true
    attach_function :reader_free, :multispool_reader_free, [:pointer], :void, blocking: true

    attach_function :batch_create, :multispool_batch_create, %i[pointer pointer pointer pointer pointer], :int32,
                    blocking: true
    attach_function :batch_add, :multispool_batch_add, %i[pointer pointer size_t pointer size_t pointer], :int32,
                    blocking: true
    attach_function :batch_add_file, :multispool_batch_add_file, %i[pointer pointer size_t pointer pointer], :int32,
                    blocking: true
    attach_function :batch_commit, :multispool_batch_commit, %i[pointer pointer], :int32, blocking: true
    attach_function :batch_size, :multispool_batch_size, [:pointer], :size_t
    attach_function :batch_name, :multispool_batch_name, %i[pointer size_t], :pointer
    attach_function :batch_status, :multispool_batch_status, %i[pointer size_t pointer], :int32
    attach_function :batch_free, :multispool_batch_free, [:pointer], :void, blocking: true

    attach_function :recover_options_new, :multispool_recover_options_new, %i[pointer pointer], :int32
    attach_function :recover_options_free, :multispool_recover_options_free, [:pointer], :void
    attach_function :recover_options_set_min_age_ms, :multispool_recover_options_set_min_age_ms,
                    %i[pointer int64 pointer], :int32
    attach_function :recover_options_set_durability, :multispool_recover_options_set_durability,
                    %i[pointer int32 pointer], :int32
    attach_function :recover, :multispool_recover, %i[pointer pointer pointer pointer], :int32, blocking: true

    attach_function :stats_options_new, :multispool_stats_options_new, %i[pointer pointer], :int32
    attach_function :stats_options_free, :multispool_stats_options_free, [:pointer], :void
    attach_function :stats_options_set_bytes, :multispool_stats_options_set_bytes, %i[pointer int32 pointer], :int32
    attach_function :spool_stats, :multispool_spool_stats, %i[pointer pointer pointer pointer], :int32, blocking: true
    attach_function :stats_queue_count, :multispool_stats_queue_count, [:pointer], :size_t
    attach_function :stats_queue, :multispool_stats_queue, %i[pointer size_t], :pointer
    attach_function :stats_entries, :multispool_stats_entries, %i[pointer size_t], :uint64
    attach_function :stats_checked_out_alive, :multispool_stats_checked_out_alive, %i[pointer size_t], :uint64
    attach_function :stats_checked_out_dead, :multispool_stats_checked_out_dead, %i[pointer size_t], :uint64
    attach_function :stats_oldest_age_ms, :multispool_stats_oldest_age_ms, %i[pointer size_t], :int64
    attach_function :stats_metadata_bytes, :multispool_stats_metadata_bytes, %i[pointer size_t], :int64
    attach_function :stats_data_bytes, :multispool_stats_data_bytes, %i[pointer size_t], :int64
    attach_function :stats_free_bytes, :multispool_stats_free_bytes, [:pointer], :uint64
    attach_function :stats_free_inodes, :multispool_stats_free_inodes, [:pointer], :int64
    attach_function :stats_free, :multispool_stats_free, [:pointer], :void

    attach_function :limits_new, :multispool_limits_new, %i[pointer pointer], :int32
    attach_function :limits_free, :multispool_limits_free, [:pointer], :void
    attach_function :limits_set_max_checked_out_age_ms, :multispool_limits_set_max_checked_out_age_ms,
                    %i[pointer int64 pointer], :int32
    attach_function :limits_set_max_tmp_file_age_ms, :multispool_limits_set_max_tmp_file_age_ms,
                    %i[pointer int64 pointer], :int32
    attach_function :limits_set_max_queue_age_ms, :multispool_limits_set_max_queue_age_ms,
                    %i[pointer string int64 pointer], :int32
    attach_function :limits_set_max_reservation_age_ms, :multispool_limits_set_max_reservation_age_ms,
                    %i[pointer int64 pointer], :int32
    attach_function :limits_set_min_free_bytes, :multispool_limits_set_min_free_bytes, %i[pointer uint64 pointer],
                    :int32
    attach_function :limits_set_min_free_inodes, :multispool_limits_set_min_free_inodes, %i[pointer uint64 pointer],
                    :int32
    attach_function :limits_max_checked_out_age_ms, :multispool_limits_max_checked_out_age_ms, [:pointer], :int64
    attach_function :limits_max_tmp_file_age_ms, :multispool_limits_max_tmp_file_age_ms, [:pointer], :int64
    attach_function :limits_queue_count, :multispool_limits_queue_count, [:pointer], :size_t
    attach_function :limits_queue, :multispool_limits_queue, %i[pointer size_t], :pointer
    attach_function :limits_max_queue_age_ms, :multispool_limits_max_queue_age_ms, %i[pointer size_t], :int64
    attach_function :limits_max_reservation_age_ms, :multispool_limits_max_reservation_age_ms, [:pointer], :int64
    attach_function :limits_min_free_bytes, :multispool_limits_min_free_bytes, [:pointer], :uint64
    attach_function :limits_min_free_inodes, :multispool_limits_min_free_inodes, [:pointer], :uint64
    attach_function :limits_from_json, :multispool_limits_from_json, %i[string pointer pointer], :int32
    attach_function :limits_to_json, :multispool_limits_to_json, %i[pointer pointer pointer], :int32

    attach_function :spool_problems, :multispool_spool_problems, %i[pointer pointer pointer pointer], :int32,
                    blocking: true
    attach_function :problems_count, :multispool_problems_count, [:pointer], :size_t
    attach_function :problems_kind, :multispool_problems_kind, %i[pointer size_t], :int32
    attach_function :problems_severity, :multispool_problems_severity, %i[pointer size_t], :int32
    attach_function :problems_mend, :multispool_problems_mend, %i[pointer size_t], :int32
    attach_function :problems_message, :multispool_problems_message, %i[pointer size_t], :pointer
    attach_function :problems_filename, :multispool_problems_filename, %i[pointer size_t], :pointer
    attach_function :problems_mtime_ns, :multispool_problems_mtime_ns, %i[pointer size_t], :int64
    attach_function :problems_dir_count, :multispool_problems_dir_count, %i[pointer size_t], :size_t
    attach_function :problems_dir_kind, :multispool_problems_dir_kind, %i[pointer size_t size_t], :int32
    attach_function :problems_dir_queue, :multispool_problems_dir_queue, %i[pointer size_t size_t], :pointer
    attach_function :problems_dir_name_on_disk, :multispool_problems_dir_name_on_disk, %i[pointer size_t size_t],
                    :pointer
    attach_function :problems_free, :multispool_problems_free, [:pointer], :void

    attach_function :monitor_create, :multispool_monitor_create, %i[pointer pointer pointer pointer], :int32,
                    blocking: true
    attach_function :monitor_run_once, :multispool_monitor_run_once, %i[pointer pointer pointer], :int32,
                    blocking: true
    attach_function :monitor_free, :multispool_monitor_free, [:pointer], :void, blocking: true
    attach_function :monitor_spec_to_json, :multispool_monitor_spec_to_json, %i[string pointer pointer pointer], :int32
    attach_function :monitor_spec_from_json, :multispool_monitor_spec_from_json, %i[string pointer pointer pointer],
                    :int32

    attach_function :daemon_options_new, :multispool_daemon_options_new, %i[pointer pointer], :int32
    attach_function :daemon_options_free, :multispool_daemon_options_free, [:pointer], :void
    attach_function :daemon_options_set_check_every_ms, :multispool_daemon_options_set_check_every_ms,
                    %i[pointer int64 pointer], :int32
    attach_function :daemon_options_set_alert_after_cycles, :multispool_daemon_options_set_alert_after_cycles,
                    %i[pointer uint64 pointer], :int32
    attach_function :daemon_options_from_json, :multispool_daemon_options_from_json, %i[string pointer pointer], :int32
    attach_function :daemon_options_to_json, :multispool_daemon_options_to_json, %i[pointer pointer pointer], :int32
    attach_function :daemon_options_check_every_ms, :multispool_daemon_options_check_every_ms, [:pointer], :int64
    attach_function :daemon_options_alert_after_cycles, :multispool_daemon_options_alert_after_cycles, [:pointer],
                    :uint64
    attach_function :daemon_start, :multispool_daemon_start, %i[pointer pointer pointer pointer], :int32,
                    blocking: true
    attach_function :daemon_next, :multispool_daemon_next, %i[pointer pointer int64 pointer pointer], :int32,
                    blocking: true
    attach_function :daemon_until_check_ms, :multispool_daemon_until_check_ms, [:pointer], :int64
    attach_function :daemon_free, :multispool_daemon_free, [:pointer], :void, blocking: true
    attach_function :event_kind, :multispool_event_kind, [:pointer], :int32
    attach_function :event_time_ns, :multispool_event_time_ns, [:pointer], :int64
    attach_function :event_problem, :multispool_event_problem, [:pointer], :pointer
    attach_function :event_free, :multispool_event_free, [:pointer], :void

    attach_function :repair_options_new, :multispool_repair_options_new, %i[pointer pointer], :int32
    attach_function :repair_options_free, :multispool_repair_options_free, [:pointer], :void
    attach_function :repair_options_set_min_age_ms, :multispool_repair_options_set_min_age_ms,
                    %i[pointer int64 pointer], :int32
    attach_function :repair_options_set_to, :multispool_repair_options_set_to, %i[pointer string pointer], :int32
    attach_function :repair_options_set_durability, :multispool_repair_options_set_durability,
                    %i[pointer int32 pointer], :int32
    attach_function :spool_repair_plan, :multispool_spool_repair_plan, %i[pointer pointer pointer pointer], :int32,
                    blocking: true
    attach_function :plan_steps, :multispool_plan_steps, [:pointer], :pointer
    attach_function :plan_apply, :multispool_plan_apply, %i[pointer pointer pointer], :int32, blocking: true
    attach_function :plan_free, :multispool_plan_free, [:pointer], :void, blocking: true
    attach_function :repaired_steps, :multispool_repaired_steps, [:pointer], :pointer
    attach_function :repaired_failure_count, :multispool_repaired_failure_count, [:pointer], :size_t
    attach_function :repaired_failure, :multispool_repaired_failure, %i[pointer size_t], :pointer
    attach_function :repaired_free, :multispool_repaired_free, [:pointer], :void
    attach_function :steps_count, :multispool_steps_count, [:pointer], :size_t
    attach_function :steps_action, :multispool_steps_action, %i[pointer size_t], :int32
    attach_function :steps_filename, :multispool_steps_filename, %i[pointer size_t], :pointer
    attach_function :steps_dir_kind, :multispool_steps_dir_kind, %i[pointer size_t], :int32
    attach_function :steps_dir_queue, :multispool_steps_dir_queue, %i[pointer size_t], :pointer
    attach_function :steps_dir_name_on_disk, :multispool_steps_dir_name_on_disk, %i[pointer size_t], :pointer
  end
end
