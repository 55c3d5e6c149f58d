# frozen_string_literal: true

require_relative "limits"

module Multispool
  # Something that is wrong with a spool. Two are equal if kind, file, time and directories are: the same name with
  # another time was moved in between. They are ordered as the original implementation orders them.
  class Problem
    include Comparable

    # A directory of a spool.
    # @!attribute [r] kind
    #   @return [:registry, :tmp, :data, :queue, :queue_checkout]
    # @!attribute [r] queue
    #   @return [String, nil] the queue that it is of
    # @!attribute [r] name_on_disk
    #   @return [String] its path below the spool's directory, such as `"incoming/.checkout"`
    Dir = Struct.new(:kind, :queue, :name_on_disk)

    # The words for the library's numbers; of a newer library's, the number itself is the word.
    KINDS = { 1 => :too_old, 2 => :orphaned, 3 => :duplicated, 4 => :dead_owner, 5 => :data_missing, 6 => :damaged,
              7 => :half_made, 8 => :impossible_name, 9 => :directory_missing, 10 => :low_space }.freeze
    # (see KINDS)
    SEVERITIES = { 1 => :garbage, 2 => :stuck, 3 => :damage }.freeze
    # (see KINDS)
    ACTIONS = { 1 => :repair, 2 => :recover, 3 => :workers, 4 => :inspect, 5 => :make_room }.freeze
    # (see KINDS)
    DIRS = { 1 => :registry, 2 => :tmp, 3 => :data, 4 => :queue, 5 => :queue_checkout }.freeze

    # @return [Symbol] one of {KINDS}; the first three are those of the original implementation
    attr_reader :kind
    # @return [String] the file's name in its directory
    attr_reader :filename
    # @return [Time] when the file was touched last
    attr_reader :mtime
    # @return [Array<Dir>] where it lies; several for `:duplicated`, none for `:low_space`
    attr_reader :dirs
    # @return [:garbage, :stuck, :damage] how much it matters
    attr_reader :severity
    # @return [Symbol] what mends it: `:repair` and `:recover` are calls, `:workers` more or faster ones, `:inspect` a
    #   person's look at the files, `:make_room` is room on the file system
    attr_reader :action
    # @return [String] a line for people
    attr_reader :message
    alias to_s message

    # @param pointer [FFI::AutoPointer] a list, freed here
    # @api private
    def self.take(pointer)
      Array.new(Native.problems_count(pointer)) { |at| new(pointer, at) }.freeze
    ensure
      pointer.free
    end

    # @api private
    def initialize(list, at)
      @number = Native.problems_kind(list, at)
      @kind = KINDS.fetch(@number, @number)
      @filename = Bytes.text(Native.problems_filename(list, at))
      @mtime = Time.at(0, Native.problems_mtime_ns(list, at), :nsec).freeze
      @dirs = Array.new(Native.problems_dir_count(list, at)) { |dir| dir_at(list, at, dir) }.freeze
      @severity = word(SEVERITIES, Native.problems_severity(list, at))
      @action = word(ACTIONS, Native.problems_mend(list, at))
      @message = Bytes.text(Native.problems_message(list, at))
      freeze
    end

    # @return [-1, 0, 1, nil]
    def <=>(other)
      other.is_a?(Problem) ? key <=> other.key : nil
    end

    # @return [Boolean]
    def eql?(other)
      self == other
    end

    # @return [Integer]
    def hash
      key.hash
    end

    # The keys and values that the command prints as JSON.
    # @return [Hash{Symbol => Object}]
    def to_h
      { kind:, name: filename, places: dirs.map(&:name_on_disk), mtime:, age_seconds: [Time.now - mtime, 0.0].max,
        severity:, action: }
    end

    # @return [String]
    def inspect
      "#<#{self.class} #{kind}: #{message}>"
    end

    protected

    def key
      [@number, filename.b, mtime, dirs.map { |dir| [DIRS.key(dir.kind) || dir.kind, dir.queue.to_s.b] }]
    end

    private

    def word(words, number)
      words.fetch(number, number)
    end

    def dir_at(list, at, dir)
      Dir.new(word(DIRS, Native.problems_dir_kind(list, at, dir)), Bytes.text(Native.problems_dir_queue(list, at, dir)),
              Bytes.text(Native.problems_dir_name_on_disk(list, at, dir))).freeze
    end
  end
end
