import sqlalchemy as sa


class ExternalUserMixin:
    __tablename__ = "user"
    id = sa.Column(sa.Integer, primary_key=True)
    username = sa.Column(sa.Unicode(256))


class Stamped:
    stamp = sa.Column(sa.DateTime)
