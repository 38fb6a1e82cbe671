"""The second demo model: late flights, in a year whose weather and traffic change what makes them late."""
