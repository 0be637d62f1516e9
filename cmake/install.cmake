# install, find_package(tutti), pkg-config and the .deb.
include(CMakePackageConfigHelpers)

install(TARGETS ${libraries} EXPORT tutti)
install(DIRECTORY include/tutti DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(TUTTI_TOOLS)
  install(TARGETS tutti_command)
  if(TARGET tutti_preload)
    install(TARGETS tutti_preload LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/tutti)
  endif()
endif()

set(cmake_folder ${CMAKE_INSTALL_LIBDIR}/cmake/tutti)
install(EXPORT tutti NAMESPACE tutti:: DESTINATION ${cmake_folder} FILE tutti-targets.cmake)
configure_package_config_file(cmake/tutti-config.cmake.in tutti-config.cmake
                              INSTALL_DESTINATION ${cmake_folder})
write_basic_package_version_file(tutti-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tutti-config.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/tutti-config-version.cmake
        DESTINATION ${cmake_folder})

configure_file(cmake/tutti.pc.in tutti.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tutti.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "The tutti authors")
set(CPACK_PACKAGE_NAME libtutti-dev)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
include(CPack)
