# frozen_string_literal: true

require "json"

# What is measured, and how it is told.
module Figures
  module_function

  # In seconds of a clock that all processes share.
  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end

  # In seconds of the processor that this process has used.
  def cpu
    Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID)
  end

  # A line of /proc/self/status: VmHWM is the most memory so far, VmRSS what is in use now.
  def resident_kb(field)
    File.read("/proc/self/status")[/^#{field}:\s*(\d+)/, 1].to_i
  end

  # Times what the block does, so often and so long at most, until it answers false.
  def report(count, seconds)
    samples = []
    used = cpu
    began = last = now
    while samples.size < count && last - began < seconds && yield
      time = now
      samples << (time - last)
      last = time
    end
    used = cpu - used
    samples.sort!
    puts JSON.generate(n: samples.size, t0: began, t1: last, cpu: used, rss_kb: resident_kb("VmHWM"),
                       p50us: at(samples, 50), p99us: at(samples, 99))
  end

  def report_latency(samples)
    samples.sort!
    puts JSON.generate(n: samples.size, min: at(samples, 0), p50: at(samples, 50), p99: at(samples, 99))
  end

  # In microseconds, of sorted samples in seconds.
  def at(samples, percent)
    (samples[samples.size * percent / 100] || 0) * 1e6
  end
end
