# frozen_string_literal: true

require "json"
require_relative "errors"

module Multispool
  # How metadata and data become bytes, and values again.
  #
  # A codec is any object that has `dump(value)`, which gives a String, and `load(bytes)`, which gives the value and
  # raises for what `dump` cannot have written: one of the modules here, your own, `YAML`, or, where nobody else may
  # write to the spool, `Marshal`. Several threads may use one at once. For data that is larger than memory a codec may
  # have `write(value, io)` and `read(io)` too: they are used instead, and what they raise reaches the caller as it is.
  module Codec
    # Strings of any bytes, as they are. Of data, a Pathname is a file to be copied, and what has `read` a stream.
    module Bytes
      # @return [String] the bytes given
      def self.dump(bytes)
        bytes
      end

      # @return [String] the bytes given
      def self.load(bytes)
        bytes
      end
    end

    # Strings of text in UTF-8; what is not valid UTF-8 is refused.
    module Text
      # @param text [String] in any encoding
      # @return [String] in UTF-8
      def self.dump(text)
        valid(String(text).encode(Encoding::UTF_8))
      end

      # @return [String] in UTF-8
      def self.load(bytes)
        valid(bytes.dup.force_encoding(Encoding::UTF_8))
      end

      def self.valid(text)
        text.valid_encoding? ? text : raise(EncodingError, "the text is not valid UTF-8")
      end
      private_class_method :valid
    end

    # One JSON value: hashes with String keys, arrays, strings, numbers, true, false and nil. What JSON turns into one
    # of these, such as a Symbol, comes back as that.
    module JSON
      # @return [String]
      def self.dump(value)
        ::JSON.generate(value)
      end

      # @return [Hash, Array, String, Numeric, Boolean, nil]
      def self.load(bytes)
        # Not JSON.load, which makes objects of whatever class the text names.
        ::JSON.parse(Text.load(bytes))
      end
    end

    # The short names of the codecs here.
    NAMED = { bytes: Bytes, text: Text, json: JSON }.freeze

    # @param given [Symbol, #dump] the short name of a codec here, or a codec
    # @return [#dump]
    # @raise [InvalidArgumentError]
    def self.of(given)
      return given if given.respond_to?(:dump) && given.respond_to?(:load)

      NAMED.fetch(given) do
        words = NAMED.keys.map(&:inspect).join(", ")
        raise InvalidArgumentError, "#{given.inspect} is no codec: it is one of #{words}, or an object with " \
                                    "dump and load"
      end
    end

    # @return [Boolean] whether the codec works on streams
    def self.streams?(codec)
      codec.respond_to?(:write) && codec.respond_to?(:read)
    end
  end
end
