# LibTorch from the Python package torch: two imported targets over its include/ and lib/, because find_package(Torch) of a
# CUDA Torch would drag CUDA into every target. Sets keepset_torch (CPU) and KEEPSET_TORCH_LIB.
if(NOT KEEPSET_TORCH_DIR)
    execute_process(COMMAND python3 -c "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])"
        OUTPUT_VARIABLE KEEPSET_TORCH_FOUND OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    set(KEEPSET_TORCH_DIR "${KEEPSET_TORCH_FOUND}" CACHE PATH "" FORCE)
endif()
set(KEEPSET_TORCH_LIB ${KEEPSET_TORCH_DIR}/lib)
if(NOT EXISTS ${KEEPSET_TORCH_LIB}/libtorch_cpu.so)
    message(FATAL_ERROR "LibTorch was not found in '${KEEPSET_TORCH_DIR}': run packaging/run.sh, which fetches it, or pass -DKEEPSET_TORCH_DIR=…/site-packages/torch.")
endif()

add_library(keepset_c10 SHARED IMPORTED)
set_target_properties(keepset_c10 PROPERTIES IMPORTED_LOCATION ${KEEPSET_TORCH_LIB}/libc10.so)
add_library(keepset_torch SHARED IMPORTED)
set_target_properties(keepset_torch PROPERTIES
    IMPORTED_LOCATION ${KEEPSET_TORCH_LIB}/libtorch_cpu.so
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${KEEPSET_TORCH_DIR}/include"
    INTERFACE_INCLUDE_DIRECTORIES "${KEEPSET_TORCH_DIR}/include"
    INTERFACE_LINK_LIBRARIES keepset_c10
    INTERFACE_LINK_OPTIONS "-Wl,--allow-shlib-undefined")

# Programs find libtorch and what lies beside it (nvidia/*/lib in a pip folder) at run time.
get_filename_component(KEEPSET_SITE ${KEEPSET_TORCH_DIR} DIRECTORY)
file(GLOB KEEPSET_NVIDIA_LIBS ${KEEPSET_SITE}/nvidia/*/lib)
set(CMAKE_BUILD_RPATH ${KEEPSET_TORCH_LIB} ${KEEPSET_NVIDIA_LIBS})
set(CMAKE_INSTALL_RPATH "$ORIGIN/../lib;$ORIGIN")
