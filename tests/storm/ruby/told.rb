# frozen_string_literal: true

require "multispool"
require "zlib"

# What the two programs of the storm in Ruby share: their log, and their luck.
module Told
  # That of each line of the log: a power of two, so that no write is cut short.
  RECORD_LENGTH = 256

  QUEUES = %w[incoming middle outgoing done].freeze

  # One line of the log. The two sums are those of the metadata and the data.
  Record = Struct.new(:session, :serial, :name, :queue, :metadata, :data, keyword_init: true) do
    # Adds the line, by one write; the time is that of the call.
    def note(event)
      now = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
      fields = [now, event, Told.process, session.to_i, serial || "-", name || "-", queue || "-",
                metadata.to_i.to_s(16), data.to_i.to_s(16)]
      line = fields.join(" ")
      raise "a record is too long: #{line}" unless line.bytesize < RECORD_LENGTH

      Told.log.syswrite("#{line.ljust(RECORD_LENGTH - 1)}\n")
    end
  end

  class << self
    # @return [String] this process's number, as the driver gave it
    attr_reader :process
    # @return [File]
    attr_reader :log

    # Takes the arguments that both programs have, and opens the log and the spool.
    # @yield [spool]
    def begin(directory, log, process, seed, durability, &)
      @process = process
      @luck = Random.new(Integer(seed))
      @log = File.open(log, File::WRONLY | File::APPEND | File::CREAT | File::BINARY)
      Multispool.load(directory, *QUEUES, durability: durability.to_sym, &)
    end

    def sum(bytes)
      Zlib.crc32(bytes)
    end

    # @return [Integer] at random, below the limit
    def below(limit)
      @luck.rand(limit)
    end

    # Half of the time nothing, else up to so many milliseconds.
    def linger(most)
      sleep(below(most * 1000) / 1e6) if below(2).zero?
    end

    # Data that tells which entry it is of, and who made it.
    def data(serial, maker)
      length = below(below(16).zero? ? 256 * 1024 : 4096)
      line = "#{serial} by #{maker}\n"
      (line * ((length / line.bytesize) + 1)).byteslice(0, length)
    end

    # @return [Array(String, String)]
    def halves(bytes)
      half = bytes.bytesize / 2
      [bytes.byteslice(0, half), bytes.byteslice(half..)]
    end
  end
end
