# The commit this build was made from, for `keepset-cli --version` and the files' provenance.
execute_process(COMMAND git -C ${CMAKE_CURRENT_SOURCE_DIR} rev-parse --short HEAD
    OUTPUT_VARIABLE KEEPSET_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT KEEPSET_COMMIT)
    set(KEEPSET_COMMIT unknown)
endif()
