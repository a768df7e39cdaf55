# What the fixtures take from outside of their repository.
from sqlalchemy.orm import declarative_base

Base = declarative_base()
