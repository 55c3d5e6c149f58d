# frozen_string_literal: true

require_relative "call"
require_relative "codec"

module Multispool
  # A codec at its work: its exceptions become errors that say which entry they are about.
  # @api private
  class Coder
    # @return [#dump]
    attr_reader :codec

    # @param what [String] "metadata" or "data"
    def initialize(codec, what)
      @codec = Codec.of(codec)
      @what = what
    end

    # Whether values are bytes already.
    def raw?
      @codec.equal?(Codec::Bytes)
    end

    # Whether values go to a stream, and come from one.
    def streams?
      Codec.streams?(@codec)
    end

    # @return [String] bytes that nobody else changes
    # @raise [EncodeError]
    def encode(value, operation)
      return Bytes.given(value, @what) if raw?

      Bytes.given(guarded { @codec.dump(value) }, "what the codec made of the #{@what}")
    rescue Failed, TypeError => e
      raise if raw?

      raise EncodeError.new("#{operation}: the codec cannot turn the #{@what} into bytes (#{reason(e)}): " \
                            "give what it can", operation:), cause: e.cause || e
    end

    # @param place [String] "QUEUE/NAME" of the entry
    # @return [Object]
    # @raise [DecodeError]
    def decode(bytes, place)
      return bytes if raw?

      guarded { @codec.load(bytes) }
    rescue Failed => e
      raise DecodeError.new("decode: the #{@what} of #{place} is not what the codec writes (#{reason(e)}): look at " \
                            "it, and at who wrote it", path: place, operation: "decode"), cause: e.cause
    end

    private

    # A codec's exception, in #cause.
    class Failed < StandardError; end
    private_constant :Failed

    # What strikes from outside meanwhile (Timeout, Thread#raise) must not be taken for the codec's.
    def guarded
      Call.masked do
        yield
      rescue StandardError, ScriptError, SystemStackError => e
        raise Failed, e.message, cause: e
      end
    end

    def reason(error)
      origin = error.cause || error
      "#{origin.class}: #{origin.message.lines.first.to_s.chomp}"
    end
  end

  private_constant :Coder
end
