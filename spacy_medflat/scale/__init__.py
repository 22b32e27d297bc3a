"""Running a pipeline over archives: parts that are each done or not, in one process, in many, or on a cluster."""
