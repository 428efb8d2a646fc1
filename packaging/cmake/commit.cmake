# The commit this build was made from, for `keepset-cli --version` and the files' provenance.
execute_process(COMMAND git -C ${CMAKE_CURRENT_SOURCE_DIR} rev-parse --short HEAD
    OUTPUT_VARIABLE KEEPSET_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT KEEPSET_COMMIT)
    set(KEEPSET_COMMIT unknown)
endif()

# Another commit configures again: git notes every move of HEAD there.
execute_process(COMMAND git -C ${CMAKE_CURRENT_SOURCE_DIR} rev-parse --path-format=absolute --git-path logs/HEAD
    OUTPUT_VARIABLE KEEPSET_HEAD_LOG OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(KEEPSET_HEAD_LOG AND EXISTS ${KEEPSET_HEAD_LOG})
    set_property(DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${KEEPSET_HEAD_LOG})
endif()
