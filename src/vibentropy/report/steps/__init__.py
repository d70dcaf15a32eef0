"""What jobs of the workflow do, one module for each script that draws figures or writes pages."""
