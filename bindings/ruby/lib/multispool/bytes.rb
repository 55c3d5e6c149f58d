# frozen_string_literal: true

require_relative "errors"

module Multispool
  # How strings cross the border: bytes go in as they are; names come out as UTF-8 where they are valid UTF-8 and as
  # binary otherwise, whatever the locale; metadata and data come out binary.
  # @api private
  module Bytes
    # More bytes than any Ruby keeps inside an object.
    INSIDE_OBJECTS = 4096

    # A queue's or entry's name: a String or Symbol.
    # @return [String] a private copy, so that nobody changes it while the library reads it
    def self.name(value, operation)
      value = value.name if value.is_a?(Symbol)
      bytes = string(value, "a name").b.freeze
      return bytes unless bytes.include?("\0")

      raise InvalidNameError.new("#{operation}: the name #{value.inspect} has a NUL byte: choose a name without one",
                                 operation:)
    end

    # A path: a String or anything with `to_path`.
    def self.path(value, operation)
      value = value.to_path if value.respond_to?(:to_path)
      bytes = string(value, "a path").b.freeze
      return bytes unless bytes.include?("\0")

      raise InvalidArgumentError.new("#{operation}: the path #{value.inspect} has a NUL byte: give a path without one",
                                     operation:)
    end

    # A JSON text.
    def self.json(value, operation)
      bytes = string(value, "JSON").b.freeze
      return bytes unless bytes.include?("\0")

      raise InvalidArgumentError.new("#{operation}: the JSON has a NUL byte: it is no text", operation:)
    end

    # Metadata or data. The copy shares the memory of a long string until somebody writes to either.
    def self.given(value, what)
      string = string(value, what)
      string.frozen? ? string : string.dup.freeze
    end

    # A name or path for a call that lets other threads run.
    # @param bytes [String] from {name} or {path}
    # @return [FFI::MemoryPointer]
    def self.c_string(bytes)
      FFI::MemoryPointer.from_string(bytes)
    end

    # Metadata or data for a call that lets other threads run. Short strings live inside Ruby's objects, which the
    # collector may move or lock meanwhile; long ones live outside and stay.
    # @param bytes [String] from {given}
    # @return [FFI::MemoryPointer, String]
    def self.memory(bytes)
      return bytes if bytes.bytesize > INSIDE_OBJECTS

      FFI::MemoryPointer.new(:char, [bytes.bytesize, 1].max, false).put_bytes(0, bytes)
    end

    # The text behind a borrowed `const char *`, or nil for NULL.
    def self.text(pointer)
      pointer.null? ? nil : text_of(pointer.read_string)
    end

    # @param bytes [String] owned by the caller
    def self.text_of(bytes)
      bytes.force_encoding(Encoding::UTF_8)
      bytes.force_encoding(Encoding::BINARY) unless bytes.valid_encoding?
      bytes.freeze
    end

    # The bytes that a getter with a length lends; the block is the getter's call.
    def self.borrowed
      length = FFI::MemoryPointer.new(:size_t)
      pointer = yield length
      pointer.null? ? String.new(encoding: Encoding::BINARY) : pointer.read_bytes(length.get(:size_t, 0))
    end

    def self.string(value, what)
      String.try_convert(value) || raise(TypeError, "#{what} must be a String, not #{value.class}")
    end
    private_class_method :string
  end
end
