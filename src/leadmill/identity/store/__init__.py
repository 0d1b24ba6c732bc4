"""Every read and write of identity's tables: of persons, and of what people ruled about them."""
