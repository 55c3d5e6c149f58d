# frozen_string_literal: true

require "ffi"
require_relative "errors"
require_relative "version"

module Multispool
  # Finds the shared library and refuses one of another version.
  # @api private
  module Library
    # The name that the system's loader knows; its number changes when the ABI breaks.
    SONAME = "libmultispool.so.0"
    # Where a gem built for one platform carries its own copy.
    PACKED = File.expand_path(SONAME, __dir__)

    # @return [String] what to load: `MULTISPOOL_LIBRARY`, else the copy in the gem, else the system's
    def self.path
      named = ENV.fetch("MULTISPOOL_LIBRARY", "")
      return named unless named.empty?

      File.file?(PACKED) ? PACKED : SONAME
    end

    # Loads the library for {Native}, once it is known to be of the right version: an older one may lack functions.
    # @return [String] the path or name that was loaded
    def self.open
      wanted = path
      check_version(version_of(wanted), wanted)
      wanted
    end

    # @param version [Integer] major << 16 | minor << 8 | patch
    # @param origin [String] for the message
    def self.check_version(version, origin)
      major = (version >> 16)
      minor = (version >> 8) & 0xff
      patch = version & 0xff
      own_major, own_minor = VERSION.split(".").map(&:to_i)
      return if major == own_major && minor >= own_minor

      raise LibraryError, "#{origin} is multispool #{major}.#{minor}.#{patch}, but this gem (#{VERSION}) needs " \
                          "#{own_major}.#{own_minor} or a later #{own_major}.x: install that version of the library, " \
                          "or name one in MULTISPOOL_LIBRARY"
    end

    def self.version_of(wanted)
      library = FFI::DynamicLibrary.open(wanted, FFI::DynamicLibrary::RTLD_LAZY | FFI::DynamicLibrary::RTLD_LOCAL)
      symbol = library.find_function("multispool_version")
      raise LibraryError, "#{wanted} is not the multispool library: it has no multispool_version" unless symbol

      FFI::Function.new(:uint32, [], symbol).call
    rescue ::LoadError => e
      raise if e.is_a?(LibraryError)

      raise LibraryError, "The multispool library could not be loaded (#{e.message}): install it, or name the " \
                          "file in MULTISPOOL_LIBRARY"
    end
    private_class_method :version_of
  end
end
