"""What jobs of the workflow do, one module for each script that neither draws figures nor writes pages."""
